import { until } from "./server.ts";

/** The value that a figure has when it has stopped growing: the same in ten looks, each a round trip. */
export async function standstill(read: () => number | Promise<number>): Promise<number> {
  let last = -1;
  let same = 0;
  await until("a standstill", async () => {
    const value = await read();
    same = value === last ? same + 1 : 0;
    last = value;
    return same === 10;
  });
  return last;
}
