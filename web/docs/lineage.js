'use strict';
// Lineage as a picture: columns from left to right by the longest way from the beginning.

/** The ids within so many steps up and down, and the id itself. */
function around(shop, id, steps) {
  const found = new Set([id]);
  for (const next of [shop.parents, shop.children]) {
    let edge = [id];
    for (let step = 0; step < steps && edge.length; step += 1) {
      edge = edge.flatMap(next).filter((other) => !found.has(other));
      edge.forEach((other) => found.add(other));
    }
  }
  return [...found];
}

/** The column of each id: one more than the last of its parents. */
function ranks(shop, ids) {
  const within = new Set(ids);
  const rank = new Map();
  const parents = new Map(ids.map((id) => [id, shop.parents(id).filter((other) => within.has(other))]));
  const waiting = new Map(ids.map((id) => [id, parents.get(id).length]));
  const ready = ids.filter((id) => !waiting.get(id));
  while (ready.length) {
    const id = ready.shift();
    rank.set(id, Math.max(-1, ...parents.get(id).map((other) => rank.get(other))) + 1);
    for (const child of shop.children(id)) {
      if (!waiting.has(child)) continue;
      waiting.set(child, waiting.get(child) - 1);
      if (waiting.get(child) === 0) ready.push(child);
    }
  }
  return { rank, parents };
}

/** The order in each column: near what a node depends on. */
function layers({ rank, parents }) {
  const columns = [];
  for (const [id, column] of rank) (columns[column] ??= []).push(id);
  const row = new Map();
  for (const column of columns) {
    const wish = (id) => {
      const rows = parents.get(id).map((other) => row.get(other));
      return rows.length ? rows.reduce((sum, value) => sum + value, 0) / rows.length : 0;
    };
    column.sort((a, b) => wish(a) - wish(b) || a.localeCompare(b));
    column.forEach((id, index) => row.set(id, index));
  }
  return { columns, row };
}

/** The drawing of these nodes. */
function lineage(shop, ids, here) {
  const [wide, high, gap, step] = [190, 26, 70, 38];
  const ranked = ranks(shop, ids);
  const { columns, row } = layers(ranked);
  const at = (id) => ({ x: 15 + ranked.rank.get(id) * (wide + gap), y: 15 + row.get(id) * step });
  const lines = [];
  for (const [id, parents] of ranked.parents) {
    for (const parent of parents) {
      if (!row.has(id) || !row.has(parent)) continue;
      const [from, to] = [at(parent), at(id)];
      const [x, y, z] = [from.x + wide, from.y + high / 2, to.y + high / 2];
      lines.push(`<path d="M${x} ${y} C${x + gap / 2} ${y} ${to.x - gap / 2} ${z} ${to.x} ${z}"/>`);
    }
  }
  const boxes = [...row.keys()].map((id) => {
    const node = shop.all.get(id);
    const { x, y } = at(id);
    const name = title(node);
    const short = name.length > 27 ? `${name.slice(0, 26)}…` : name;
    return `<a href="${escape(address(node))}"><g class="node ${escape(node.resource_type)}${id === here ? ' here' : ''}" data-id="${escape(id)}">
      <title>${escape(name)}</title><rect x="${x}" y="${y}" width="${wide}" height="${high}"/><text x="${x + 8}" y="${y + 17}">${escape(short)}</text></g></a>`;
  });
  const width = 30 + columns.length * (wide + gap) - gap;
  const height = 30 + Math.max(0, ...columns.map((column) => column.length)) * step;
  const holder = document.createElement('div');
  holder.innerHTML = `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" role="img" aria-label="Lineage">${lines.join('')}${boxes.join('')}</svg>`;
  return holder.firstElementChild;
}
