import { Suspense, use } from "react";
import { renderToReadableStream } from "react-dom/server";
import { handle } from "./shared/fetch-handler.js";

function Late({ text }) {
  return <p>{use(text)}</p>;
}

function Page({ name, late }) {
  return (
    <html>
      <body>
        <h1>Hello {name}</h1>
        <Suspense fallback={<p>waiting</p>}>
          <Late text={late} />
        </Suspense>
      </body>
    </html>
  );
}

export default {
  async fetch(request, server) {
    const { pathname, searchParams } = new URL(request.url);
    if (pathname !== "/page") return handle(request, server.requestIP(request).address);
    const late = new Promise((resolve) => setTimeout(resolve, 20, "late"));
    const stream = await renderToReadableStream(
      <Page name={searchParams.get("name")} late={late} />,
    );
    return new Response(stream, { headers: { "Content-Type": "text/html" } });
  },
};
