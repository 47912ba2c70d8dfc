// Calls the simulated org with the unmodified jsforce library; prints what it answers as JSON.
// Arguments: the folder of the installed package. The environment has the org and its users.
"use strict";

const { createRequire } = require("node:module");
const path = require("node:path");

const jsforce = createRequire(path.join(process.argv[2], "package.json"))("jsforce");
const org = JSON.parse(process.env.ORG);
const lead = (values) => ({ LastName: "Martin", Company: "Acme", ...values });

async function codeOf(promise) {
  try {
    await promise;
    return "no error";
  } catch (error) {
    return error.errorCode || error.message;
  }
}

async function logins() {
  const { url, username, password, token, key, secret } = org;
  const oauth = new jsforce.Connection({
    oauth2: { loginUrl: url, clientId: key, clientSecret: secret },
    version: "64.0",
  });
  const user = await oauth.login(username, password + token);
  const soap = new jsforce.Connection({ loginUrl: url, version: "64.0" });
  await soap.login(username, password + token);
  const wrong = new jsforce.Connection({ loginUrl: url, version: "64.0" });
  return {
    connection: oauth,
    answers: {
      user: user.id,
      soap: (await soap.query("SELECT COUNT() FROM Lead")).totalSize,
      refused: await codeOf(wrong.login(username, "wrong")),
    },
  };
}

async function records(connection) {
  const leads = connection.sobject("Lead");
  const made = await leads.create(lead({ Email: "Ana@Example.com" }));
  await leads.update({ Id: made.id, Title: "CEO" });
  const row = await leads.retrieve(made.id);
  const many = await leads.create([lead({ Email: "bob@example.com" }), lead({ Email: "bad" })]);
  const key = { plezi_url__c: "https://p/1" };
  const upserted = await leads.upsert([lead(key), { plezi_url__c: "https://p/2" }], "plezi_url__c");
  const deleted = await leads.destroy(made.id);
  return {
    row: { Email: row.Email, Title: row.Title, Status: row.Status },
    many: many.map((each) => (each.success ? "saved" : each.errors[0].statusCode)),
    upserted: upserted.map((each) => [each.success, each.created]),
    deleted: deleted.success,
    gone: await codeOf(leads.retrieve(made.id)),
    malformed: await codeOf(leads.retrieve("nonsense")),
    twice: await codeOf(leads.destroy(made.id)),
  };
}

async function queries(connection) {
  const all = await connection.query("SELECT Id FROM Lead", { autoFetch: true, maxFetch: 10000 });
  const named = await connection
    .sobject("Lead")
    .find({ Email: { $like: "bob%" } }, ["Id", "Email"])
    .sort({ Email: 1 })
    .limit(5);
  const today = await connection.query("SELECT Id FROM Lead WHERE CreatedDate IN (TODAY)");
  const fields = "SELECT Id, DeveloperName FROM CustomField WHERE DeveloperName = 'score'";
  const tooling = await connection.tooling.query(fields);
  return {
    all: all.records.length,
    named: named.map((each) => each.Email),
    today: today.totalSize > 0,
    tooling: tooling.records.map((each) => each.DeveloperName),
    unknown: await codeOf(connection.query("SELECT Nothing FROM Lead")),
  };
}

async function metadata(connection) {
  const described = await connection.describe("Lead");
  const again = await connection.describe("Lead");
  const global = await connection.describeGlobal();
  const limits = await connection.limits();
  const end = new Date(Date.now() + 120000);
  const start = new Date(Date.now() - 600000);
  const updated = await connection.sobject("Lead").updated(start, end);
  const removed = await connection.sobject("Lead").deleted(start, end);
  return {
    described: described.fields.length === again.fields.length,
    recordTypes: described.recordTypeInfos.map((each) => each.name),
    children: Array.isArray(described.childRelationships),
    listed: global.sobjects.some((each) => each.name === "Lead"),
    limit: limits.DailyApiRequests.Max,
    updated: updated.ids.length > 0,
    removed: removed.deletedRecords.length,
  };
}

async function main() {
  const { connection, answers } = await logins();
  console.log(
    JSON.stringify({
      logins: answers,
      records: await records(connection),
      queries: await queries(connection),
      metadata: await metadata(connection),
    }),
  );
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
