"""moto's tests of its DynamoDB, in its server mode, asked of our server. Start: oracle.py"""
