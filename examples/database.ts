/**
 * A database that each worker opens before it serves and closes when it leaves.
 *
 *     gunicorn-ts -w 2 -e DATABASE=visits.sqlite database.ts
 */
import { Database } from "bun:sqlite";

let database: Database;

/** If it throws, the worker can't boot: the server doesn't start, or a reload leaves the old workers. */
export async function startup(): Promise<void> {
  database = new Database(process.env["DATABASE"] ?? ":memory:", { create: true });
  // Several workers write to one file.
  database.run("PRAGMA busy_timeout = 5000");
  await useWal();
  database.run("CREATE TABLE IF NOT EXISTS visits (path TEXT PRIMARY KEY, count INTEGER NOT NULL)");
}

/** busy_timeout doesn't wait here for somebody who writes, as another worker that makes the database. */
async function useWal(attempts = 250): Promise<void> {
  try {
    database.run("PRAGMA journal_mode = WAL");
  } catch (error) {
    if (attempts === 1) throw error;
    await Bun.sleep(20);
    await useWal(attempts - 1);
  }
}

export async function shutdown(): Promise<void> {
  database.close();
}

export function fetch(request: Request): Response {
  const { pathname } = new URL(request.url);
  const visit = database.query<{ count: number }, string>(
    `INSERT INTO visits VALUES (?1, 1)
      ON CONFLICT DO UPDATE SET count = count + 1 RETURNING count`,
  );
  return Response.json({ path: pathname, visits: visit.get(pathname)?.count });
}
