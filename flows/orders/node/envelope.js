// CloudEvents in Kafka's binary mode: a command that came in, and the answer that goes out.

/** A record that is no message of ours, or whose payload breaks the contract. */
export class Unreadable extends Error {}

/** The command in a record; its payload is parsed, and checked by its handler. */
export function commandOf(record) {
  const header = (name) => record.headers.get(name)?.toString();
  for (const name of ["ce_specversion", "ce_id", "ce_type", "ce_source"]) {
    if (!header(name)) throw new Unreadable(`header \`${name}\` is missing`);
  }
  if (header("ce_specversion").split(".")[0] !== "1") {
    throw new Unreadable("CloudEvents 1.0 is understood, no other version");
  }
  const replyto = header("replyto")?.match(/^([^:]+)(?::([0-9]+))?$/);
  if (header("replyto") && !replyto) throw new Unreadable("header `replyto` is no topic:partition");
  return {
    id: header("ce_id"),
    type: header("ce_type"),
    key: record.key ?? Buffer.from(header("ce_subject") ?? ""),
    body: record.value ?? Buffer.alloc(0),
    correlationid: header("correlationid"),
    undoes: header("undoes"),
    replyto: replyto && { topic: replyto[1], partition: replyto[2] && Number(replyto[2]) },
    traceparent: header("traceparent"),
    tracestate: header("tracestate"),
  };
}

/** A command's payload. */
export function payloadOf(command) {
  try {
    return JSON.parse(command.body.toString());
  } catch (error) {
    throw new Unreadable(`payload is not JSON: ${error.message}`);
  }
}

/** The one answer to a command: a reply, or a declared failure. All but where it goes. */
export function answerTo(command, service, type, fields) {
  const headers = {
    ce_specversion: "1.0",
    ce_id: `${command.id}:reply`,
    ce_source: `/services/${service}`,
    ce_type: `${service}.${type}`,
    ce_time: new Date().toISOString(),
    ce_subject: command.key.toString(),
    "content-type": "application/json",
    correlationid: command.correlationid,
    causationid: command.id,
    traceparent: command.traceparent,
    tracestate: command.tracestate,
  };
  for (const name of Object.keys(headers)) {
    if (headers[name] === undefined) delete headers[name];
  }
  return { headers, body: JSON.stringify(fields) };
}

/** The record that brings an answer to where this delivery of the command wants it. */
export function recordOf(answer, command) {
  const headers = new Map(Object.entries(answer.headers).map(([k, v]) => [k, Buffer.from(v)]));
  const { topic, partition } = command.replyto;
  return { topic, partition, key: command.key, value: Buffer.from(answer.body), headers };
}

/** The record of the dead letters for one that was given up, with the headers that tools read. */
export function deadLetter(record, topic, group, disposition, error) {
  const integer = (value, bytes) => {
    const buffer = Buffer.alloc(bytes);
    if (bytes === 4) buffer.writeInt32BE(value);
    else buffer.writeBigInt64BE(value);
    return buffer;
  };
  const headers = new Map(record.headers);
  const original = {
    "kafka_dlt-original-topic": Buffer.from(record.topic),
    "kafka_dlt-original-partition": integer(record.partition, 4),
    "kafka_dlt-original-offset": integer(record.offset, 8),
    "kafka_dlt-original-timestamp": integer(record.timestamp, 8),
    "kafka_dlt-original-timestamp-type": Buffer.from("CreateTime"),
    "kafka_dlt-original-consumer-group": Buffer.from(group),
  };
  for (const [name, value] of Object.entries(original)) {
    if (!headers.has(name)) headers.set(name, value);
  }
  headers.set("kafka_dlt-exception-fqcn", Buffer.from(error.name));
  headers.set("kafka_dlt-exception-message", Buffer.from(error.message.slice(0, 2000)));
  headers.set("disposition", Buffer.from(disposition));
  return { topic, key: record.key, value: record.value, headers, partition: record.partition };
}
