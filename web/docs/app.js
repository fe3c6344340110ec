'use strict';
// The pages of the documentation, made from manifest.json and catalog.json alone. Addresses are those of dbt's own
// pages (#!/model/model.shop.orders), so that links to them keep working.

const escape = (text) => String(text ?? '').replace(/[&<>"']/g, (sign) => `&#${sign.charCodeAt(0)};`);

// ---- What there is

/** Everything that has a page, by id, and who depends on whom. */
function project(manifest, catalog) {
  const kinds = ['nodes', 'sources', 'exposures', 'metrics', 'semantic_models', 'saved_queries', 'unit_tests', 'functions'];
  const all = new Map();
  for (const kind of kinds) {
    for (const [id, node] of Object.entries(manifest[kind] ?? {})) all.set(id, node);
  }
  for (const [id, macro] of Object.entries(manifest.macros ?? {})) {
    if (macro.package_name === manifest.metadata.project_name) all.set(id, macro);
  }
  const isTest = (node) => ['test', 'unit_test', 'operation'].includes(node.resource_type);
  const shown = [...all.values()].filter((node) => !isTest(node));
  const tests = new Map();
  for (const node of all.values()) {
    if (!isTest(node)) continue;
    const of = node.attached_node ?? node.depends_on?.nodes?.[0];
    if (of) tests.set(of, [...(tests.get(of) ?? []), node]);
  }
  const facts = { ...(catalog?.nodes ?? {}), ...(catalog?.sources ?? {}) };
  const links = (map) => (id) => (map?.[id] ?? []).filter((other) => all.has(other) && !isTest(all.get(other)));
  return {
    manifest, all, shown, tests, facts,
    parents: links(manifest.parent_map), children: links(manifest.child_map),
  };
}

const title = (node) => {
  if (node.resource_type === 'source') return `${node.source_name}.${node.name}`;
  return node.version == null ? node.name : `${node.name} v${node.version}`;
};
const address = (node) => `#!/${node.resource_type}/${node.unique_id}`;
const link = (node) => `<a href="${escape(address(node))}">${escape(title(node))}</a>`;

// ---- Text

/** A little Markdown: paragraphs, headings, lists, tables, code, emphasis, links. Everything else is text. */
function markdown(text) {
  const inline = (line) => escape(line)
    .replace(/`([^`]+)`/g, '<code>$1</code>')
    .replace(/\*\*([^*]+)\*\*/g, '<strong>$1</strong>')
    .replace(/(^|\W)[*_]([^*_\s][^*_]*)[*_](?=\W|$)/g, '$1<em>$2</em>')
    .replace(/\[([^\]]+)\]\(((?:https?:|#|mailto:|[./\w])[^)\s]*)\)/g, (whole, label, target) =>
      /^\w+:/.test(target) && !/^(https?|mailto):/.test(target) ? whole : `<a href="${target}">${label}</a>`);
  const row = (line, cell) => `<tr>${line.replace(/^\s*\||\|\s*$/g, '').split('|').map((part) => `<${cell}>${inline(part.trim())}</${cell}>`).join('')}</tr>`;
  const block = (lines) => {
    const first = lines[0];
    const heading = /^(#{1,6})\s+(.*)/.exec(first);
    if (heading) return `<h${Math.min(heading[1].length + 2, 6)}>${inline(heading[2])}</h${Math.min(heading[1].length + 2, 6)}>` + (lines.length > 1 ? block(lines.slice(1)) : '');
    if (/^\s*[-*+]\s/.test(first)) return `<ul>${lines.map((line) => `<li>${inline(line.replace(/^\s*[-*+]\s+/, ''))}</li>`).join('')}</ul>`;
    if (/^\s*\d+[.)]\s/.test(first)) return `<ol>${lines.map((line) => `<li>${inline(line.replace(/^\s*\d+[.)]\s+/, ''))}</li>`).join('')}</ol>`;
    if (first.includes('|') && /^[\s|:-]+$/.test(lines[1] ?? '')) return `<table>${row(first, 'th')}${lines.slice(2).map((line) => row(line, 'td')).join('')}</table>`;
    return `<p>${lines.map(inline).join('<br>')}</p>`;
  };
  return String(text ?? '').split(/^```\w*$/m).map((part, index) => {
    if (index % 2 === 1) return `<pre><code>${escape(part.trim())}</code></pre>`;
    return part.split(/\n\s*\n/).map((lines) => lines.split('\n').filter((line) => line.trim())).filter((lines) => lines.length).map(block).join('');
  }).join('');
}

// ---- The tree

/** Nested folders of links: package ▸ folders ▸ nodes; sources and exposures by themselves. */
function tree(shop) {
  const root = new Map();
  for (const node of shop.shown) {
    const path = node.original_file_path?.split('/').slice(0, -1) ?? [];
    const place = {
      source: () => ['Sources', node.source_name], exposure: () => ['Exposures'], metric: () => ['Metrics'],
      macro: () => ['Macros'],
    }[node.resource_type]?.() ?? [node.package_name, ...path];
    let folder = root;
    for (const part of place) {
      if (!(folder.get(part) instanceof Map)) folder.set(part, new Map());
      folder = folder.get(part);
    }
    folder.set(`\0${node.unique_id}`, node);
  }
  const folders = (map, depth) => [...map.entries()]
    .sort(([a, x], [b, y]) => (y instanceof Map) - (x instanceof Map) || a.localeCompare(b))
    .map(([name, inside]) => inside instanceof Map
      ? `<details${depth < 3 && name !== 'Macros' ? ' open' : ''}><summary>${escape(name)}</summary>${folders(inside, depth + 1)}</details>`
      : `<a href="${escape(address(inside))}" data-id="${escape(inside.unique_id)}">${escape(inside.resource_type === 'source' ? inside.name : title(inside))}</a>`)
    .join('');
  return folders(root, 0);
}

// ---- Pages

function overview(shop) {
  const docs = Object.values(shop.manifest.docs ?? {}).filter((doc) => doc.name === '__overview__');
  const own = docs.find((doc) => doc.package_name === shop.manifest.metadata.project_name);
  const counts = new Map();
  for (const node of shop.all.values()) counts.set(node.resource_type, (counts.get(node.resource_type) ?? 0) + 1);
  const list = [...counts].map(([kind, count]) => `<div><dt>${escape(kind.replace('_', ' '))}</dt><dd>${count}</dd></div>`).join('');
  return `<h1>${escape(shop.manifest.metadata.project_name)}</h1>${own ? markdown(own.block_contents) : ''}
    <h2>What there is</h2><dl>${list}</dl>
    <p class="soft">Generated ${escape(shop.manifest.metadata.generated_at)} · dbt ${escape(shop.manifest.metadata.dbt_version)}</p>`;
}

function columns(shop, node) {
  const facts = shop.facts[node.unique_id]?.columns ?? {};
  const documented = new Map(Object.values(node.columns ?? {}).map((column) => [column.name.toLowerCase(), column]));
  const names = Object.values(facts).sort((a, b) => a.index - b.index).map((column) => column.name);
  for (const column of documented.values()) {
    if (!names.some((name) => name.toLowerCase() === column.name.toLowerCase())) names.push(column.name);
  }
  if (!names.length) return '';
  const types = new Map(Object.values(facts).map((column) => [column.name.toLowerCase(), column.type]));
  const tests = (shop.tests.get(node.unique_id) ?? []).filter((test) => test.column_name);
  const rows = names.map((name) => {
    const column = documented.get(name.toLowerCase());
    const checked = tests.filter((test) => test.column_name.toLowerCase() === name.toLowerCase());
    const tags = checked.map((test) => `<span class="tag" title="${escape(test.name)}">${escape(test.test_metadata?.name ?? test.name)}</span>`).join('');
    return `<tr><td><code>${escape(name)}</code></td><td>${escape(types.get(name.toLowerCase()) ?? column?.data_type ?? '')}</td>
      <td>${markdown(column?.description)}</td><td>${tags}</td></tr>`;
  });
  return `<h2>Columns</h2><table id="columns"><thead><tr><th>Name</th><th>Type</th><th>Description</th><th>Tests</th></tr></thead><tbody>${rows.join('')}</tbody></table>`;
}

function details(shop, node) {
  const meta = shop.facts[node.unique_id]?.metadata ?? {};
  const facts = {
    Relation: node.relation_name, Materialized: node.config?.materialized, Kind: meta.type, Owner: meta.owner ?? node.owner?.name,
    Package: node.package_name, File: node.original_file_path, Access: node.access, Group: node.group ?? node.config?.group,
    Contract: node.contract?.enforced ? 'enforced' : null, Loader: node.loader, Url: node.url, Maturity: node.maturity,
  };
  const shown = Object.entries(facts).filter(([, value]) => value);
  return `<dl>${shown.map(([name, value]) => `<div><dt>${name}</dt><dd>${escape(value)}</dd></div>`).join('')}</dl>`;
}

function code(node) {
  const texts = [['Source', node.raw_code ?? node.macro_sql], ['Compiled', node.compiled_code]].filter(([, text]) => text?.trim());
  if (!texts.length) return '';
  const buttons = texts.map(([name], index) => `<button role="tab" aria-selected="${index === 0}" data-tab="${index}">${name}</button>`);
  const panes = texts.map(([, text], index) => `<pre data-pane="${index}"${index ? ' hidden' : ''}><code>${escape(text.trim())}</code></pre>`);
  return `<h2>Code</h2><div class="tabs" role="tablist">${buttons.join('')}</div>${panes.join('')}`;
}

function page(shop, node) {
  const others = (ids) => ids.map((id) => `<li>${link(shop.all.get(id))} <span class="soft">${escape(shop.all.get(id).resource_type)}</span></li>`).join('');
  const [parents, children] = [shop.parents(node.unique_id), shop.children(node.unique_id)];
  const tests = (shop.tests.get(node.unique_id) ?? []).filter((test) => !test.column_name);
  const tags = (node.tags ?? []).map((tag) => `<span class="tag">${escape(tag)}</span>`).join('');
  const args = (node.arguments ?? []).map((arg) => `<tr><td><code>${escape(arg.name)}</code></td><td>${escape(arg.type)}</td><td>${markdown(arg.description)}</td></tr>`).join('');
  return `<p class="soft">${escape(node.resource_type)}</p><h1>${escape(title(node))}</h1>${tags}
    <div id="description">${markdown(node.description) || '<p class="soft">No description.</p>'}</div>
    ${details(shop, node)}${columns(shop, node)}
    ${args ? `<h2>Arguments</h2><table>${args}</table>` : ''}
    ${tests.length ? `<h2>Tests</h2><ul>${tests.map((test) => `<li>${escape(test.name)}</li>`).join('')}</ul>` : ''}
    ${parents.length || children.length ? `<div class="columns2"><div><h2>Depends on</h2><ul>${others(parents)}</ul></div><div><h2>Needed by</h2><ul>${others(children)}</ul></div></div>
    <h2>Lineage</h2><p><label>Steps <select id="steps"><option>1</option><option selected>2</option><option>4</option><option value="99">all</option></select></label></p><div class="graph"></div>` : ''}
    ${code(node)}`;
}

/** Nodes in which all words are found; those whose name has them first. */
function search(shop, text) {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  const score = (node) => {
    const fields = [title(node), (node.tags ?? []).join(' '), Object.keys(node.columns ?? {}).join(' '),
      Object.keys(shop.facts[node.unique_id]?.columns ?? {}).join(' '), node.description, node.raw_code ?? node.macro_sql]
      .map((field) => String(field ?? '').toLowerCase());
    const places = words.map((word) => fields.findIndex((field) => field.includes(word)));
    return places.includes(-1) ? null : places.reduce((sum, place) => sum + place, 0);
  };
  return shop.shown.map((node) => [score(node), node]).filter(([points]) => points !== null)
    .sort(([a, x], [b, y]) => a - b || title(x).localeCompare(title(y))).map(([, node]) => node);
}

function results(shop, text) {
  const found = search(shop, text);
  const items = found.slice(0, 200).map((node) => `<li>${link(node)} <span class="soft">${escape(node.resource_type)}</span>
    <span class="soft">${escape((node.description ?? '').split('\n')[0].slice(0, 120))}</span></li>`);
  return `<h1>${found.length} found</h1><ul id="found">${items.join('')}</ul>`;
}

// ---- Putting it on the screen

function show(shop) {
  const main = document.getElementById('page');
  const [, kind = 'overview', id] = /^#!\/([^/]+)(?:\/([^?]+))?/.exec(decodeURI(location.hash)) ?? [];
  const node = shop.all.get(id);
  if (kind === 'graph') {
    main.innerHTML = '<h1>Lineage</h1><div class="graph"></div>';
    main.querySelector('.graph').append(lineage(shop, shop.shown.filter((node) => node.resource_type !== 'macro').map((node) => node.unique_id)));
  } else if (kind === 'search') {
    main.innerHTML = results(shop, id ?? '');
  } else if (node) {
    main.innerHTML = page(shop, node);
    const draw = () => main.querySelector('.graph')?.replaceChildren(lineage(shop, around(shop, id, Number(main.querySelector('#steps').value)), id));
    main.querySelector('#steps')?.addEventListener('change', draw);
    draw();
  } else if (id) {
    main.innerHTML = `<h1>Not found</h1><p>There is nothing called <code>${escape(id)}</code> in this project.</p>`;
  } else {
    main.innerHTML = overview(shop);
  }
  document.title = node ? `${title(node)} · ${shop.manifest.metadata.project_name}` : shop.manifest.metadata.project_name;
  for (const entry of document.querySelectorAll('nav a')) {
    entry.classList.toggle('here', entry.dataset.id === id);
  }
  main.scrollTop = 0;
}

function listen(shop) {
  window.addEventListener('hashchange', () => show(shop));
  const field = document.getElementById('search');
  field.addEventListener('input', () => {
    location.hash = field.value.trim() ? `#!/search/${encodeURI(field.value.trim())}` : '#!/overview';
  });
  document.addEventListener('keydown', (event) => {
    if (event.key === '/' && document.activeElement !== field) {
      event.preventDefault();
      field.focus();
    }
  });
  document.getElementById('page').addEventListener('click', ({ target }) => {
    if (!target.dataset?.tab) return;
    for (const tab of document.querySelectorAll('[data-tab]')) tab.ariaSelected = tab === target;
    for (const pane of document.querySelectorAll('[data-pane]')) pane.hidden = pane.dataset.pane !== target.dataset.tab;
  });
}

async function load(name) {
  if (INLINE[name]) return INLINE[name];
  const answer = await fetch(`${name}.json`);
  return answer.ok ? answer.json() : null;
}

async function start() {
  try {
    const [manifest, catalog] = await Promise.all([load('manifest'), load('catalog')]);
    if (!manifest) throw new Error('there is no manifest.json beside this page');
    const shop = project(manifest, catalog);
    document.getElementById('home').textContent = manifest.metadata.project_name;
    document.getElementById('tree').innerHTML = tree(shop);
    listen(shop);
    show(shop);
  } catch (error) {
    document.getElementById('page').innerHTML = `<h1>Nothing to show</h1><p>${escape(error.message)}</p>
      <p>Run <code>docs generate</code>, and then <code>docs serve</code>; or open <code>static_index.html</code>, which <code>docs generate --static</code> writes.</p>`;
  }
}

start();
