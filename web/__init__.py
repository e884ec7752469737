"""The pages: one file a resource."""
