// A participant: commands in, one transaction each, answers out. docs/guides/other-languages.md says
// why each step is as it is.

import { Admin, Consumer, ProduceAcks, Producer } from "@platformatic/kafka";
import { stringDeserializer, stringSerializer } from "@platformatic/kafka";

import { answerTo, commandOf, deadLetter, payloadOf, recordOf, Unreadable } from "./envelope.js";
import { Conflict, once, TABLE } from "./inbox.js";

/** How long an answer is tried to be sent; a dead letter is for as long as it takes. */
const PATIENCE = 30_000;

/** Serves commands until `signal` is aborted; `handlers` are functions `(payload, client)` by type. */
export async function serve({ service, handlers, brokers, commands, pool, signal }) {
  const kafka = { clientId: service, bootstrapBrokers: brokers };
  const letters = `${commands}.${service}-dlt`;
  await pool.query(TABLE);
  await createDeadLetters(kafka, commands, letters);

  const producer = new Producer({
    ...kafka,
    serializers: { headerKey: stringSerializer },
    acks: ProduceAcks.ALL,
  });
  const consumer = new Consumer({
    ...kafka,
    groupId: service,
    deserializers: { headerKey: stringDeserializer },
    retries: true, // while the broker is away
    sessionTimeout: 10_000, // so long its partitions wait for one that was killed
    heartbeatInterval: 2_000,
    autocommit: false,
    isolationLevel: 1, // read committed: what a sender took back was never said
  });
  const send = (record) => producer.send({ messages: [record] });
  const bury = (record, why, error) =>
    acknowledged(() => send(deadLetter(record, letters, service, why, error)), Infinity);

  async function received(record) {
    let command;
    try {
      command = commandOf(record);
      const handler = handlers[command.type];
      if (!handler) return;
      const payload = payloadOf(command);
      const answer = await once(
        pool,
        command,
        (client) => handler(payload, client),
        (type, fields) => answerTo(command, service, type, fields),
      );
      if (command.replyto && answer) await acknowledged(() => send(recordOf(answer, command)), PATIENCE);
    } catch (error) {
      if (error instanceof Unreadable) await bury(record, "poison", error);
      else if (error instanceof Conflict) await bury(record, "rejected", error);
      // No answer, or one that could not be sent: the saga asks again, under the same id.
      else console.error(`no answer to ${command.id}:`, error);
    }
  }

  // In order, one at a time: that keeps the order of each key.
  const stream = await consumer.consume({
    topics: [commands],
    mode: "committed",
    fallbackMode: "earliest",
  });
  signal.addEventListener("abort", () => stream.close().catch(() => {}));
  console.log(`${service} serves ${commands}`);
  for await (const record of stream) {
    await received(record);
    // Last of all. A crash before it brings the record again, and the inbox its answer.
    await record.commit().catch((error) => console.error("not committed:", error.message));
    if (signal.aborted) break;
  }
  await consumer.close(true);
  await producer.close();
}

/** As many partitions as the commands have, so that a key keeps its partition. */
async function createDeadLetters(kafka, commands, letters) {
  const admin = new Admin(kafka);
  try {
    const { topics } = await admin.metadata({ topics: [commands] });
    const partitions = topics.get(commands).partitionsCount;
    await admin.createTopics({ topics: [letters], partitions, replicas: -1 }).catch((error) => {
      if (!error.findBy?.("apiId", "TOPIC_ALREADY_EXISTS")) throw error;
    });
  } finally {
    await admin.close();
  }
}

/** Sends until the broker has it; throws what is in the way after so many milliseconds. */
async function acknowledged(send, limit) {
  const end = Date.now() + limit;
  for (let wait = 100; ; wait = Math.min(wait * 2, 5000)) {
    try {
      return await send();
    } catch (error) {
      if (Date.now() > end) throw error;
      console.error("sending again:", error.message);
      await new Promise((resolve) => setTimeout(resolve, wait));
    }
  }
}
