"""ScyllaDB's own tests of its DynamoDB API, run against our server. Start: oracle.py"""
