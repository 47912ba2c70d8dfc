// Calls the simulated org with the unmodified @salesforce/core; prints one line of JSON for each
// step. Arguments: the folder of the installed package. The environment has the org and its users.
"use strict";

const assert = require("node:assert/strict");
const { createRequire } = require("node:module");
const path = require("node:path");

const core = createRequire(path.join(process.argv[2], "package.json"))("@salesforce/core");
const org = JSON.parse(process.env.ORG);
const lead = (values) => ({ LastName: "Martin", Company: "Acme", ...values });
let connection;

async function loginByToken() {
  const options = { accessToken: org.token, instanceUrl: org.url, loginUrl: org.url };
  const authInfo = await core.AuthInfo.create({
    username: org.token,
    accessTokenOptions: options,
  });
  const made = await core.Connection.create({ authInfo });
  assert.equal((await made.identity()).username, org.username); // at login.salesforce.com
}

async function loginByJwt() {
  const authInfo = await core.AuthInfo.create({
    username: org.username,
    oauth2Options: { clientId: org.key, privateKeyFile: org.jwtKey, loginUrl: org.url },
  });
  await authInfo.save();
  connection = await core.Connection.create({ authInfo });
  assert.equal(authInfo.getFields().username, org.username);
}

async function loginByRefreshToken() {
  const authInfo = await core.AuthInfo.create({
    oauth2Options: {
      clientId: org.key,
      clientSecret: org.secret,
      refreshToken: org.refreshToken,
      loginUrl: org.url,
    },
  });
  assert.equal(authInfo.getFields().username, org.username);
}

async function orgInformation() {
  const made = await core.Org.create({ connection });
  assert.equal(await made.determineIfDevHubOrg(), false);
  assert.match(await connection.retrieveMaxApiVersion(), /^\d\d\.0$/);
  const found = await connection.singleRecordQuery("SELECT Id FROM Organization");
  assert.equal(made.getOrgId(), found.Id);
}

async function renewal() {
  const killed = await fetch(`${org.url}/_sim/sessions/kill`, { method: "POST", body: "{}" });
  assert.ok((await killed.json()).killed > 0);
  const found = await connection.query("SELECT COUNT() FROM Lead");
  assert.equal(typeof found.totalSize, "number");
}

async function records() {
  const leads = connection.sobject("Lead");
  const { id } = await leads.create(lead({ Email: "core@example.com" }));
  await leads.update({ Id: id, Title: "CEO" });
  assert.equal((await leads.retrieve(id)).Title, "CEO");
  assert.equal((await leads.destroy(id)).success, true);
  await assert.rejects(leads.retrieve(id), { errorCode: "NOT_FOUND" });
}

async function collections() {
  const values = [...Array(250).keys()].map((n) => lead({ Email: `core${n}@example.com` }));
  const saved = await connection.sobject("Lead").create(values, { allowRecursive: true });
  assert.equal(saved.filter((each) => each.success).length, 250);
  const gone = await connection.sobject("Lead").destroy(saved.map((each) => each.id), {
    allowRecursive: true,
  });
  assert.equal(gone.filter((each) => each.success).length, 250);
}

async function pages() {
  const found = await connection.autoFetchQuery("SELECT Id FROM Lead");
  assert.equal(found.records.length, found.totalSize);
  assert.ok(found.totalSize > 2000);
}

async function metadata() {
  const described = await connection.describe("Lead");
  assert.ok(described.fields.some((each) => each.name === "plezi_url__c"));
  const soql = "SELECT DeveloperName FROM CustomField WHERE DeveloperName = 'score'";
  const found = await connection.tooling.query(soql);
  assert.equal(found.records[0].DeveloperName, "score");
}

async function refusals() {
  const refused = connection.sobject("Lead").create(lead({ Email: "bad" }));
  await assert.rejects(refused, { errorCode: "INVALID_EMAIL_ADDRESS" });
  await assert.rejects(connection.query("SELECT Nothing FROM Lead"), {
    errorCode: "INVALID_FIELD",
  });
}

const STEPS = {
  "log in with an access token": loginByToken,
  "log in by JWT": loginByJwt,
  "log in with a refresh token": loginByRefreshToken,
  "read the org, the versions and whether it is a Dev Hub": orgInformation,
  "log in again after the session was ended": renewal,
  "create, update, read and delete a record": records,
  "create and delete 250 records in collections": collections,
  "read all pages of a query": pages,
  "describe an object, query the Tooling API": metadata,
  "read the codes of refusals": refusals,
};

async function main() {
  for (const [step, run] of Object.entries(STEPS)) {
    let problem = "";
    try {
      await run();
    } catch (error) {
      problem = String(error.stack || error).slice(0, 800);
    }
    console.log(JSON.stringify({ step, problem }));
  }
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
