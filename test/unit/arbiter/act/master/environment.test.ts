import { expect, test } from "bun:test";
import { withoutServiceManager } from "../../../../../src/arbiter/act/master/environment.ts";

test("withoutServiceManager() keeps the rest of the environment", () => {
  const env = { PATH: "/bin", NOTIFY_SOCKET: "/x", WATCHDOG_USEC: "1", WATCHDOG_PID: "1" };
  expect(withoutServiceManager(env)).toEqual({ PATH: "/bin" });
});
