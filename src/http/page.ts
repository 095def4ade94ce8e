/** Gunicorn's error page; `content` is HTML. */
export function htmlPage(title: string, content: string): string {
  return `<html>
  <head>
    <title>${title}</title>
  </head>
  <body>
    <h1><p>${title}</p></h1>
    ${content}
  </body>
</html>
`;
}
