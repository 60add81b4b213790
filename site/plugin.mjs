// Puts the pages of docs/ into groups, in the order in which site/typedoc.json lists them.

import path from 'node:path'
import { Converter } from 'typedoc'

const GROUPS = { guide: 'Guide', platforms: 'Platforms', internals: 'Internals' }

export function load(app) {
  app.converter.on(Converter.EVENT_CREATE_DOCUMENT, (_context, document) => {
    const file = document.project.files.getReflectionPath(document) ?? ''
    document.frontmatter.group ??= GROUPS[path.basename(path.dirname(file))] ?? 'Project'
  })
  app.converter.on(Converter.EVENT_RESOLVE_END, ({ project }) => {
    const byTitle = (a, b) => order(a) - order(b)
    const pages = app.options.getValue('projectDocuments').map((page) => path.basename(page))
    function order(reflection) {
      if (!reflection.isDocument()) return 0
      return pages.indexOf(path.basename(project.files.getReflectionPath(reflection) ?? ''))
    }
    project.documents?.sort(byTitle)
    for (const group of project.groups ?? []) group.children.sort((a, b) => (a.isDocument() && b.isDocument() ? byTitle(a, b) : 0))
  })
}
