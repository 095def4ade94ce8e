// React Router without its build: a static handler runs loaders and actions, the page is rendered as a stream.
import { renderToReadableStream } from "react-dom/server";
import {
  createStaticHandler,
  createStaticRouter,
  data,
  redirect,
  StaticRouterProvider,
  useActionData,
  useLoaderData,
} from "react-router";

const Query = () => <p>{JSON.stringify(useLoaderData())}</p>;
const Form = () => <p>{JSON.stringify(useActionData())}</p>;

const { query, dataRoutes } = createStaticHandler([
  {
    path: "/query",
    loader: ({ request }) => ({ query: [...new URL(request.url).searchParams] }),
    Component: Query,
  },
  {
    path: "/form",
    action: async ({ request }) => ({ form: [...(await request.formData())] }),
    Component: Form,
  },
  {
    path: "/json",
    action: async ({ request }) => ({ body: await request.json() }),
    Component: Form,
  },
  { path: "/redirect", loader: () => redirect("/query?a=redirected") },
  {
    path: "/cookies",
    loader: ({ request }) => {
      const headers = new Headers([
        ["Set-Cookie", "a=1"],
        ["Set-Cookie", "b=2"],
      ]);
      return data(request.headers.get("cookie"), { headers });
    },
    Component: Query,
  },
  {
    path: "/throw",
    loader: () => {
      throw new Error("on purpose");
    },
    ErrorBoundary: () => <p>sorry</p>,
  },
]);

export default {
  async fetch(request) {
    const context = await query(request);
    if (context instanceof Response) return context;
    const page = (
      <StaticRouterProvider router={createStaticRouter(dataRoutes, context)} context={context} />
    );
    const headers = new Headers({ "Content-Type": "text/html" });
    for (const more of Object.values(context.loaderHeaders)) {
      for (const [name, value] of more) headers.append(name, value);
    }
    return new Response(await renderToReadableStream(page), {
      status: context.statusCode,
      headers,
    });
  },
};
