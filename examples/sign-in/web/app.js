'use strict';

const { AuthenticationDetails, CognitoUser, CognitoUserAttribute, CognitoUserPool } = AmazonCognitoIdentity;
const settings = Object.fromEntries(new URLSearchParams(location.search));
// `endpoint` is the only difference from AWS: without it, the library asks AWS.
const pool = new CognitoUserPool({
  UserPoolId: settings.pool,
  ClientId: settings.client,
  endpoint: settings.endpoint,
});

const value = (id) => document.getElementById(id).value;
const show = (text) => { document.getElementById('status').textContent = text; };
const user = () => new CognitoUser({ Username: value('email'), Pool: pool });

function signUp() {
  const attributes = [new CognitoUserAttribute({ Name: 'email', Value: value('email') })];
  pool.signUp(value('email'), value('password'), attributes, null, (error) =>
    show(error ? `${error.code}: ${error.message}` : 'a code was sent'));
}

function confirm() {
  user().confirmRegistration(value('code'), false, (error) =>
    show(error ? `${error.code}: ${error.message}` : 'confirmed'));
}

function signIn() {
  // By SRP: the password does not leave the browser.
  const details = new AuthenticationDetails({ Username: value('email'), Password: value('password') });
  user().authenticateUser(details, {
    onSuccess: () => show('signed in'),
    onFailure: (error) => show(`${error.code}: ${error.message}`),
  });
}

async function call() {
  const token = await new Promise((resolve) => {
    const current = pool.getCurrentUser();
    if (!current) return resolve(null);
    // Renews the tokens when they have run out.
    return current.getSession((error, session) => resolve(error ? null : session.getIdToken().getJwtToken()));
  });
  try {
    const answer = await fetch(`${settings.api}/protected`, { headers: token ? { Authorization: `Bearer ${token}` } : {} });
    show(`${answer.status} ${await answer.text()}`);
  } catch (error) {
    show(`no answer: ${error.message}`);
  }
}

function signOut() {
  const current = pool.getCurrentUser();
  if (!current) return show('signed out');
  return current.getSession(() => current.globalSignOut({
    onSuccess: () => show('signed out'),
    onFailure: (error) => show(`${error.code}: ${error.message}`),
  }));
}

const buttons = { 'sign-up': signUp, confirm, 'sign-in': signIn, call, 'sign-out': signOut };
document.getElementById('form').addEventListener('submit', (event) => {
  event.preventDefault();
  show('...');
  buttons[event.submitter.id]();
});
