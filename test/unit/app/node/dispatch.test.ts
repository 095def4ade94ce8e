import { expect, test } from "bun:test";
import { createServer } from "node:http";
import { isKnown, type OnNodeRequest } from "../../../../src/app/node/dispatch.ts";
import { isNodeServer } from "../../../../src/app/node/servers.ts";

/** What node:http of this Bun listens with. */
function optionsOfNodeHttp(): Record<string, unknown> {
  const { serve } = Bun;
  let options: Record<string, unknown> = {};
  const noting: unknown = (given: Record<string, unknown>) => {
    options = given;
    return serve(given as never);
  };
  Bun.serve = noting as typeof Bun.serve;
  const server = createServer(() => {}).listen(0);
  Bun.serve = serve;
  server.close();
  return options;
}

test("the function that node:http of this Bun gives Bun.serve is known, and no other", () => {
  const options = optionsOfNodeHttp();
  expect(isNodeServer(options)).toBe(true);
  expect(isKnown(options["onNodeHTTPRequest"] as OnNodeRequest)).toBe(true);
  expect(isKnown(((_one: object) => undefined) as OnNodeRequest)).toBe(false);
});
