"""What a feature is and what its formula sees: declarations, domains, views, the catalogue, fingerprints."""
