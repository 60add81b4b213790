// Puts the pages of docs/ into groups, in the order in which typedoc.json lists them, and checks that exported functions are documented.

import path from 'node:path'
import { Converter, ReflectionKind } from 'typedoc'

const GROUPS = { guide: 'Guide', platforms: 'Platforms', internals: 'Internals' }

export function load(app) {
  app.converter.on(Converter.EVENT_CREATE_DOCUMENT, (_context, document) => {
    document.frontmatter.group ??= GROUPS[path.basename(path.dirname(pathOf(document)))] ?? 'Project'
  })

  app.converter.on(Converter.EVENT_RESOLVE_END, ({ project }) => {
    const pages = app.options.getValue('projectDocuments').map((page) => path.normalize(page))
    const order = (reflection) => pages.findIndex((page) => pathOf(reflection).endsWith(page))
    const inOrder = (a, b) => (a.isDocument() && b.isDocument() ? order(a) - order(b) : 0)
    project.documents?.sort(inOrder)
    for (const group of project.groups ?? []) group.children.sort(inOrder)

    // requiredToBeDocumented would ask the same of every method.
    for (const { name, signatures } of project.getChildrenByKind(ReflectionKind.Function)) {
      if (!signatures?.some((signature) => signature.hasComment())) app.logger.warn(`${name} is not documented`)
    }
  })
}

function pathOf(document) {
  return document.project.files.getReflectionPath(document) ?? ''
}
