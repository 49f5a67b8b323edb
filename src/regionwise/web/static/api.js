// The API as a page, from openapi.json.

document.querySelector("#origin").textContent = location.origin;

const api = await (await fetch("openapi.json")).json();

function element(tag, text, ...children) {
  const made = document.createElement(tag);
  made.textContent = text;
  made.append(...children);
  return made;
}

function kindOf(schema) {
  if (schema.format === "binary") return "file";
  if (schema.anyOf) return schema.anyOf.map(kindOf).filter((kind) => kind !== "null").join(" or ");
  if (schema.$ref) return schema.$ref.split("/").at(-1);
  return schema.type ?? "";
}

function row(name, schema, text) {
  const usual = schema.default === undefined || schema.default === null ? "" : `, ${schema.default}`;
  const heading = element("th", name);
  heading.scope = "row";
  return element("tr", "", heading, element("td", kindOf(schema) + usual), element("td", text ?? ""));
}

function route(method, path, operation) {
  const section = element("section", "", element("h2", `${method.toUpperCase()} ${path}`));
  for (const paragraph of (operation.description ?? operation.summary).split("\n\n")) {
    section.append(element("p", paragraph));
  }
  const rows = (operation.parameters ?? []).map((one) => row(one.name, one.schema, one.description));
  for (const { schema } of Object.values(operation.requestBody?.content ?? {})) {
    const resolved = schema.$ref ? api.components.schemas[schema.$ref.split("/").at(-1)] : schema;
    for (const [name, property] of Object.entries(resolved.properties ?? {})) {
      rows.push(row(name, property, property.description));
    }
  }
  if (rows.length) section.append(element("table", "", element("tbody", "", ...rows)));
  const answers = Object.entries(operation.responses).map(([status, answer]) =>
    element("li", `${status}: ${answer.description}`),
  );
  section.append(element("ul", "", ...answers));
  return section;
}

const sections = Object.entries(api.paths).flatMap(([path, operations]) =>
  Object.entries(operations).map(([method, operation]) => route(method, path, operation)),
);
document.querySelector("#routes").replaceChildren(...sections);
