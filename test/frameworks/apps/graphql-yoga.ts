import { createSchema, createYoga } from "graphql-yoga";
import { large, sha256, wordByWord } from "./shared/parts.js";

const yoga = createYoga({
  schema: createSchema({
    typeDefs: `
      scalar File
      type Query { echo(text: String!): String  large: Int  address: String  throws: String }
      type Mutation { add(a: Int!, b: Int!): Int  upload(file: File!): String }
      type Subscription { words: String }
    `,
    resolvers: {
      Query: {
        echo: (_, { text }) => text,
        large: () => large.length,
        address: (_, args, { request }) => request.headers.get("user-agent"),
        throws: () => {
          throw new Error("on purpose");
        },
      },
      Mutation: {
        add: (_, { a, b }) => a + b,
        upload: async (_, { file }) => `${file.name} ${file.size} ${sha256(await file.bytes())}`,
      },
      Subscription: { words: { subscribe: () => wordByWord((words) => ({ words })) } },
    },
  }),
  logging: false,
});

export default yoga;
