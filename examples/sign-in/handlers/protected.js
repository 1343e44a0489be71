'use strict';

// Only who has signed in comes here: the authorizer has checked the token and tells its claims.
exports.handler = async (event) => {
  const { claims } = event.requestContext.authorizer.jwt;
  return {
    statusCode: 200,
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ message: `Hello, ${claims.email}!`, sub: claims.sub }),
  };
};
