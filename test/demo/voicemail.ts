import { createServer } from "node:http";
import { type LocalServer, serveLocally } from "../local-server.ts";

const words = "Leave a message after the tone.";

const document = {
  version: "1.0.0",
  sections: {
    main: [{ answer: {} }, { play: { url: `say:${words}` } }, { hangup: {} }],
  },
};

const cxml = `<?xml version="1.0" encoding="UTF-8"?><Response><Say>${words}</Say><Hangup/></Response>`;

/** A tenant's own document, on a free port, where calls are handed over to: cXML where the path ends in .xml, else SWML. */
export async function startVoicemail(): Promise<LocalServer> {
  const server = createServer(({ url = "" }, response) => {
    const [type, body] = url.endsWith(".xml")
      ? ["text/xml", cxml]
      : ["application/json", JSON.stringify(document)];
    response.writeHead(200, { "content-type": type }).end(body);
  });
  return await serveLocally(server);
}
