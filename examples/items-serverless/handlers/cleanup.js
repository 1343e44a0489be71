// handlers/cleanup.js - deletes the items that are older than MAX_AGE_DAYS, once a day
const AWS = require('aws-sdk');

const dynamodb = new AWS.DynamoDB.DocumentClient();
const TABLE_NAME = process.env.TABLE_NAME;
const MAX_AGE_DAYS = Number(process.env.MAX_AGE_DAYS || 30);
const DAY_MS = 24 * 60 * 60 * 1000;
const BATCH_SIZE = 25; // BatchWriteItem takes no more.

exports.handler = async (event, context) => {
  const oldest = new Date(Date.now() - MAX_AGE_DAYS * DAY_MS).toISOString();
  let deleted = 0;
  let ExclusiveStartKey;

  do {
    const page = await dynamodb.scan({
      TableName: TABLE_NAME,
      FilterExpression: 'createdAt < :oldest',
      ExpressionAttributeValues: { ':oldest': oldest },
      ProjectionExpression: 'id',
      ExclusiveStartKey,
    }).promise();

    for (let start = 0; start < page.Items.length; start += BATCH_SIZE) {
      await deleteAll(page.Items.slice(start, start + BATCH_SIZE));
    }
    deleted += page.Items.length;
    ExclusiveStartKey = page.LastEvaluatedKey;
  } while (ExclusiveStartKey);

  console.log(`Deleted ${deleted} items created before ${oldest}`);
  return { deleted };
};

async function deleteAll(items) {
  let requests = items.map(({ id }) => ({ DeleteRequest: { Key: { id } } }));
  while (requests.length) {
    const result = await dynamodb.batchWrite({ RequestItems: { [TABLE_NAME]: requests } }).promise();
    requests = result.UnprocessedItems[TABLE_NAME] || [];
  }
}
