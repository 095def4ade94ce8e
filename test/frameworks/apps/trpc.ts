import { initTRPC, tracked, TRPCError } from "@trpc/server";
import { fetchRequestHandler } from "@trpc/server/adapters/fetch";
import { handle } from "./shared/fetch-handler.js";
import { wordByWord } from "./shared/parts.js";

const t = initTRPC.context().create();
const text = (input) => {
  if (typeof input !== "string") throw new Error("no text");
  return input;
};
const router = t.router({
  echo: t.procedure.input(text).query(({ input, ctx }) => ({ text: input, address: ctx.address })),
  add: t.procedure.input((list) => list).mutation(({ input }) => input.a + input.b),
  forbidden: t.procedure.query(() => {
    throw new TRPCError({ code: "FORBIDDEN", message: "not you" });
  }),
  words: t.procedure.subscription(async function* () {
    for await (const word of wordByWord((word) => word)) yield tracked(word, { word });
  }),
});

Bun.serve({
  port: process.env.PORT,
  fetch(request, server) {
    const address = server.requestIP(request).address;
    if (!new URL(request.url).pathname.startsWith("/trpc")) return handle(request, address);
    return fetchRequestHandler({
      endpoint: "/trpc",
      req: request,
      router,
      createContext: ({ resHeaders }) => {
        resHeaders.append("Set-Cookie", "a=1");
        resHeaders.append("Set-Cookie", "b=2");
        return { address };
      },
    });
  },
});
