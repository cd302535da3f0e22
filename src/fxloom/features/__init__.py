"""What a feature is and what a formula sees: declarations, domains, views, the catalogue, fingerprints."""
