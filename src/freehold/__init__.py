"""The serverless cloud that you own."""
