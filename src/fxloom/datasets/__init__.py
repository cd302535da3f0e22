"""The way out of the store: the feature matrix, and which of its columns repeat one another."""
