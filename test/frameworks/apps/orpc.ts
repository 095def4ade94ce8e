import { ORPCError, os } from "@orpc/server";
import { RPCHandler } from "@orpc/server/fetch";
import { CORSPlugin } from "@orpc/server/plugins";
import { sha256, wordByWord } from "./shared/parts.js";

const router = {
  echo: os.handler(({ input, context }) => ({ input, address: context.address, at: new Date(0) })),
  upload: os.handler(async ({ input }) => `${input.name} ${sha256(await input.bytes())}`),
  forbidden: os.handler(() => {
    throw new ORPCError("FORBIDDEN", { message: "not you" });
  }),
  throws: os.handler(() => {
    throw new Error("on purpose");
  }),
  words: os.handler(async function* () {
    yield* wordByWord((word) => ({ word }));
  }),
};
const handler = new RPCHandler(router, { plugins: [new CORSPlugin()] });

Bun.serve({
  port: process.env.PORT,
  async fetch(request, server) {
    const context = { address: server.requestIP(request).address };
    const { matched, response } = await handler.handle(request, { prefix: "/rpc", context });
    return matched ? response : new Response("not here", { status: 404 });
  },
});
