import node from "@sveltejs/adapter-node";
import bun from "svelte-adapter-bun";

const out = `build/${process.env.ADAPTER}`;

export default {
  kit: {
    adapter: process.env.ADAPTER === "bun" ? bun({ out }) : node({ out }),
    outDir: `.svelte-kit/${process.env.ADAPTER}`,
    csrf: { trustedOrigins: ["*"] },
  },
};
