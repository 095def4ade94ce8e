const rows = Array.from({ length: 2000 }, (_, id) => ({ id, name: `Item ${id}`, price: id * 1.5 }));

export function fetch(): Response {
  return Response.json(rows);
}
