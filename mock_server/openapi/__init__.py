"""Reading OpenAPI 3.0 documents: walking them, following references, schemas as JSON Schema."""
