import { sveltekit } from "@sveltejs/kit/vite";

// The packages beside it have others of its packages' versions, which an app of its own wouldn't meet.
export default { plugins: [sveltekit()], logLevel: "error", ssr: { noExternal: ["cookie"] } };
