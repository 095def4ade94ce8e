import { error, json, redirect, text } from "@sveltejs/kit";
import { handle } from "../../../../shared/fetch-handler.js";

async function answer({ request, url, cookies, getClientAddress }) {
  switch (url.pathname) {
    case "/cookies":
      cookies.set("a", "1", { path: "/", secure: false });
      cookies.set("b", "2", { path: "/", secure: false, sameSite: "strict" });
      return json(cookies.getAll());
    case "/redirect":
      return redirect(302, "/query?a=redirected");
    case "/address":
      return text(getClientAddress());
    default: {
      const response = await handle(request);
      return response.status === 404 ? error(404, "not here") : response;
    }
  }
}

export { answer as GET, answer as POST };
