import node from "@astrojs/node";

export default {
  output: "server",
  adapter: node({ mode: "standalone" }),
  security: { checkOrigin: false },
  // With its packages in it: hundreds of files take long to read on a busy machine.
  vite: { ssr: { noExternal: true } },
};
