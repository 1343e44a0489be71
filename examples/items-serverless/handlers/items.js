// handlers/items.js - one exported function for each Lambda function of serverless.yml
const AWS = require('aws-sdk');

// Initialize AWS SDK clients outside handler for connection reuse
const dynamodb = new AWS.DynamoDB.DocumentClient();
const TABLE_NAME = process.env.TABLE_NAME;

const headers = { 'Content-Type': 'application/json' };

function respond(statusCode, body) {
  return { statusCode, headers, body: body === undefined ? '' : JSON.stringify(body) };
}

// What every function does alike: its log line, its JSON body, its errors.
function api(action) {
  return async (event, context) => {
    console.log('Request ID:', context.awsRequestId);
    console.log('Event:', JSON.stringify(event, null, 2));
    try {
      const text = event.isBase64Encoded ? Buffer.from(event.body, 'base64').toString() : event.body;
      return await action(event, text ? JSON.parse(text) : {});
    } catch (error) {
      if (error instanceof SyntaxError) {
        return respond(400, { error: 'The body is not JSON' });
      }
      console.error('Error:', error);
      return respond(500, { error: 'Internal server error' });
    }
  };
}

// GET /items, GET /items?userId=... and GET /items/{id}
exports.get = api(async (event) => {
  const { id } = event.pathParameters || {};
  if (id) {
    const result = await dynamodb.get({
      TableName: TABLE_NAME,
      Key: { id },
    }).promise();
    return result.Item ? respond(200, result.Item) : respond(404, { error: 'Item not found' });
  }

  const { userId } = event.queryStringParameters || {};
  if (userId) {
    const result = await dynamodb.query({
      TableName: TABLE_NAME,
      IndexName: 'userId-createdAt-index',
      KeyConditionExpression: 'userId = :userId',
      ExpressionAttributeValues: { ':userId': userId },
      ScanIndexForward: false,
    }).promise();
    return respond(200, { items: result.Items });
  }

  const result = await dynamodb.scan({
    TableName: TABLE_NAME,
    Limit: 100,
  }).promise();
  return respond(200, { items: result.Items });
});

// POST /items
exports.create = api(async (event, data) => {
  const item = {
    id: Date.now().toString(),
    ...data,
    createdAt: new Date().toISOString(),
  };
  await dynamodb.put({
    TableName: TABLE_NAME,
    Item: item,
  }).promise();
  return respond(201, item);
});

// PUT /items/{id}
exports.update = api(async (event, data) => {
  const result = await dynamodb.update({
    TableName: TABLE_NAME,
    Key: { id: event.pathParameters.id },
    UpdateExpression: 'SET #data = :data, updatedAt = :updatedAt',
    ExpressionAttributeNames: { '#data': 'data' },
    ExpressionAttributeValues: {
      ':data': data,
      ':updatedAt': new Date().toISOString(),
    },
    ReturnValues: 'ALL_NEW',
  }).promise();
  return respond(200, result.Attributes);
});

// DELETE /items/{id}
exports.delete = api(async (event) => {
  await dynamodb.delete({
    TableName: TABLE_NAME,
    Key: { id: event.pathParameters.id },
  }).promise();
  return respond(204);
});
