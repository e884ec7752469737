// Which words may stand here, and what do they mean? Asked of the JSON Schema, for the place of the cursor.

// The keys around a place: {path, kind: "key" or "value", from, text}; a list counts as the key "[]".
export function keysAt(doc, pos) {
  const row = doc.lineAt(pos), before = row.text.slice(0, pos - row.from);
  const start = /^(\s*)((?:- +)*)(.*)$/.exec(before);
  const here = inLine(start[3]);
  if (!here) return null;
  const indent = start[1].length, path = above(doc, row.number, start[2] ? indent : indent + start[2].length, Boolean(start[2]));
  if (start[2]) path.push("[]");
  return { path: path.concat(here.path), kind: here.kind, from: pos - here.text.length, text: here.text };
}

// The keys under which a line stands, by the indentation of those above it.
function above(doc, number, indent, isItem) {
  const path = [];
  let limit = indent, isList = isItem;
  for (let at = number - 1; at >= 1 && (limit > 0 || isList); at--) {
    const text = doc.line(at).text;
    if (/^\s*(#|$)/.test(text)) continue;
    const found = /^(\s*)((?:- +)*)(?:["']?([^\s"'#:{[][^"':{]*?)["']?:(?:\s|$))?/.exec(text);
    const dash = found[1].length, key = dash + found[2].length;
    if (found[3] && (key < limit || (isList && key === limit && !found[2]))) {
      path.unshift(found[3]);
      limit = key;
      isList = false;
    }
    if (found[2] && dash < limit) {
      path.unshift("[]");
      limit = dash;
      isList = true;
    }
  }
  return path;
}

// Where the end of a line stands within its own brackets; null within quotes or a comment.
function inLine(text) {
  const frames = [{ sort: "block", key: null }];
  let word = "", quote = "";
  for (let at = 0; at < text.length; at++) {
    const letter = text[at], top = frames[frames.length - 1];
    if (quote) {
      if (letter === quote) quote = "";
      word += letter;
    } else if ((letter === '"' || letter === "'") && !word.trim()) {
      quote = letter;
      word += letter;
    } else if (letter === "#" && (at === 0 || /\s/.test(text[at - 1]))) {
      return null;
    } else if (letter === "{" || letter === "[") {
      frames.push({ sort: letter, key: null });
      word = "";
    } else if ((letter === "}" || letter === "]") && frames.length > 1) {
      frames.pop();
      word = "";
    } else if (letter === "," && top.sort !== "block") {
      top.key = null;
      word = "";
    } else if (letter === ":" && top.key === null && top.sort !== "[" && /^(\s|$)/.test(text.slice(at + 1))) {
      top.key = word.trim().replace(/^["']|["']$/g, "");
      word = "";
    } else {
      word += letter;
    }
  }
  if (quote) return null;
  const last = frames[frames.length - 1];
  const path = frames.flatMap((each) => each.sort === "[" ? ["[]"] : each.key === null ? [] : [each.key]);
  return { path: path, kind: last.sort === "[" || last.key !== null ? "value" : "key", text: word.trimStart() };
}

// The schemas that a value may follow: what it refers to, and each of its alternatives.
function spread(schema, root, found) {
  if (typeof schema !== "object" || schema === null || found.includes(schema)) return found;
  found.push(schema);
  if (schema.$ref) spread(root.$defs[schema.$ref.replace("#/$defs/", "")], root, found);
  ["anyOf", "oneOf", "allOf"].forEach((name) => (schema[name] || []).forEach((each) => spread(each, root, found)));
  return found;
}

function along(words, path) {
  let schemas = spread(words.schema.$defs.plan, words.schema, []);
  for (const key of path) {
    const next = [];
    schemas.forEach((each) => {
      const inside = key === "[]" ? each.items : (each.properties || {})[key] || each.additionalProperties;
      spread(inside, words.schema, next);
    });
    schemas = next;
  }
  return schemas;
}

function about(words, path, key) {
  const found = along(words, path).map((each) => ((each.properties || {})[key] || {}).description);
  return found.find(Boolean) || "";
}

export function explained(words, place, word) {
  if (!place) return "";
  if (place.kind === "key") return about(words, place.path, word);
  const keys = place.path.filter((each) => each !== "[]");
  return keys.length ? about(words, place.path.slice(0, place.path.lastIndexOf(keys[keys.length - 1])), keys[keys.length - 1]) : "";
}

const NAMES = { issuer: "unit", kinds: "kind", tags: "tag", under: "unit", units: "unit", via: "unit", calendar: "calendar" };

export function offered(words, place) {
  const schemas = along(words, place.path), found = new Map();
  if (place.kind === "key") {
    schemas.forEach((each) => Object.keys(each.properties || {}).forEach((key) => {
      if (!found.has(key)) found.set(key, { label: key, apply: key + ": ", info: about(words, place.path, key) });
    }));
  }
  schemas.forEach((each) => (each.enum || (each.const === undefined ? [] : [each.const])).forEach((value) => {
    found.set(String(value), { label: String(value) });
  }));
  const key = place.path.filter((each) => each !== "[]").pop();
  const isTo = key === "to" && place.path[place.path.length - 2] !== "[]" && !place.path.includes("valid");
  (words.names[isTo ? "unit" : NAMES[key]] || []).forEach((name) => found.set(name, { label: name }));
  return [...found.values()];
}
