// The warehouse of the order saga: what flows/orders/services.py has as `inventory`, in Node.js.
//
//   KAFKA=localhost:9092 DATABASE_URL=postgresql://localhost/warehouse node inventory.js

import pg from "pg";

import { Unreadable } from "./envelope.js";
import { Failure } from "./inbox.js";
import { serve } from "./participant.js";

const OPENING_STOCK = 100_000;

const TABLES = `
  CREATE TABLE IF NOT EXISTS stock (sku text PRIMARY KEY, on_hand integer NOT NULL);
  CREATE TABLE IF NOT EXISTS reservations (
    order_id text, sku text, quantity integer NOT NULL, status text NOT NULL,
    PRIMARY KEY (order_id, sku)
  )`;

/** Takes the goods off the shelf, all lines or none. */
async function reserve({ order_id, lines }, client) {
  if (!order_id || !Array.isArray(lines) || !lines.every(isLine)) {
    throw new Unreadable("not a ReserveStock of its contract");
  }
  for (const { sku, quantity } of lines) {
    const opening = sku === "unicorn" ? 0 : OPENING_STOCK;
    await client.query("INSERT INTO stock VALUES ($1, $2) ON CONFLICT DO NOTHING", [sku, opening]);
    const taken = await client.query(
      "UPDATE stock SET on_hand = on_hand - $2 WHERE sku = $1 AND on_hand >= $2",
      [sku, quantity],
    );
    if (!taken.rowCount) throw new Failure("OutOfStock", { order_id, sku });
    const row = [order_id, sku, quantity];
    await client.query("INSERT INTO reservations VALUES ($1, $2, $3, 'reserved')", row);
  }
  const reservation_id = `res-${order_id.slice(0, 8)}`;
  return { type: "StockReserved", fields: { order_id, reservation_id } };
}

const isLine = (line) => typeof line?.sku === "string" && Number.isInteger(line.quantity);

/** Puts the goods back. */
async function release({ order_id, reservation_id }, client) {
  if (!order_id || !reservation_id) throw new Unreadable("not a ReleaseStock of its contract");
  const held = await client.query(
    `UPDATE reservations SET status = 'released'
     WHERE order_id = $1 AND status = 'reserved' RETURNING sku, quantity`,
    [order_id],
  );
  for (const { sku, quantity } of held.rows) {
    await client.query("UPDATE stock SET on_hand = on_hand + $2 WHERE sku = $1", [sku, quantity]);
  }
  return { type: "StockReleased", fields: { order_id, reservation_id } };
}

const { KAFKA, DATABASE_URL, COMMANDS = "inventory.commands" } = process.env;
const pool = new pg.Pool({ connectionString: DATABASE_URL });
pool.on("error", (error) => console.error("database:", error.message));
const stop = new AbortController();
for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => stop.abort());
await pool.query(TABLES);
await serve({
  service: "inventory",
  handlers: { "inventory.ReserveStock": reserve, "inventory.ReleaseStock": release },
  brokers: KAFKA.split(","),
  commands: COMMANDS,
  pool,
  signal: stop.signal,
});
await pool.end();
