// Each command has one effect and one answer: the handler's writes, the command's id and its answer
// are one transaction.

import { createHash } from "node:crypto";

/** A declared failure: an answer of its own type, and nothing that the handler wrote. */
export class Failure extends Error {
  constructor(type, fields) {
    super(type);
    this.type = type;
    this.fields = fields;
  }
}

/** A known id with another body. */
export class Conflict extends Error {}

export const TABLE = `
  CREATE TABLE IF NOT EXISTS inbox (
    message_id text PRIMARY KEY,
    body_sha256 text NOT NULL,
    answer json,
    processed_at timestamptz NOT NULL DEFAULT now()
  )`;

/** Stands for the body of a command that was undone before it came. */
const UNDONE = "";

/**
 * The answer to a command: that of `handle(client)`, a `{ type, fields }`, made by `answer`; or the
 * recorded one, and none for a command that comes only after its undo. Two deliveries at once: the primary key lets one in, the other waits for its end.
 */
export async function once(pool, command, handle, answer) {
  const digest = createHash("sha256").update(`${command.type}\n`).update(command.body).digest("hex");
  const client = await pool.connect();
  let broken;
  try {
    await client.query("BEGIN");
    const claimed = await client.query(
      "INSERT INTO inbox (message_id, body_sha256) VALUES ($1, $2) ON CONFLICT DO NOTHING",
      [command.id, digest],
    );
    const found = claimed.rowCount
      ? await first(client, command, handle, answer)
      : await again(client, command, digest);
    await client.query("COMMIT");
    return found;
  } catch (error) {
    await client.query("ROLLBACK").catch((lost) => (broken = lost));
    throw error;
  } finally {
    client.release(broken);
  }
}

async function first(client, command, handle, answer) {
  if (command.undoes) {
    const row = "INSERT INTO inbox (message_id, body_sha256) VALUES ($1, $2) ON CONFLICT DO NOTHING";
    await client.query(row, [command.undoes, UNDONE]);
  }
  await client.query("SAVEPOINT handler");
  const { type, fields } = await handle(client).catch(async (error) => {
    if (!(error instanceof Failure)) throw error;
    // The claim stays, so that the failure is recorded; what the handler wrote does not.
    await client.query("ROLLBACK TO SAVEPOINT handler");
    return error;
  });
  const made = answer(type, fields);
  await client.query("UPDATE inbox SET answer = $2 WHERE message_id = $1", [
    command.id,
    JSON.stringify(made),
  ]);
  return made;
}

async function again(client, command, digest) {
  const query = "SELECT body_sha256, answer FROM inbox WHERE message_id = $1";
  const { rows } = await client.query(query, [command.id]);
  if (rows[0].body_sha256 === UNDONE) return null;
  if (rows[0].body_sha256 !== digest) {
    throw new Conflict(`message \`${command.id}\` was processed with another body`);
  }
  return rows[0].answer;
}
