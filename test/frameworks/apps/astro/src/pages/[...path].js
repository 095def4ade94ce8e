import { handle } from "../../../shared/fetch-handler.js";

export async function ALL({ request, cookies, redirect, clientAddress }) {
  switch (new URL(request.url).pathname) {
    case "/cookies":
      cookies.set("a", "1", { path: "/" });
      cookies.set("b", "2", { path: "/", httpOnly: true });
      return new Response(request.headers.get("cookie"));
    case "/redirect":
      return redirect("/query?a=redirected");
    case "/address":
      return new Response(clientAddress);
    default:
      return handle(request);
  }
}
