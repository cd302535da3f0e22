"""Features and what their formulas see: declarations, domains, views, the catalogue, fingerprints."""
