// Gives the pages of docs/ their titles, puts them into groups, in the order in which typedoc.json lists them, and checks that exported
// functions are documented.

import path from 'node:path'
import { CommentTag, Converter, ReflectionKind } from 'typedoc'

const GROUPS = { guide: 'Guide', platforms: 'Platforms', internals: 'Internals' }
/** TypeDoc makes its groups with priority -100. */
const AFTER_GROUPING = -200
const HEADING = /^# (.*)\n/

export function load(app) {
  app.converter.on(Converter.EVENT_CREATE_DOCUMENT, (_context, document) => {
    document.frontmatter.group ??= GROUPS[path.basename(path.dirname(pathOf(document)))] ?? 'Project'
    document.name = HEADING.exec(document.content[0]?.text ?? '')?.[1] ?? document.name
  })

  // A class whose type is an interface, as `Value`, is a variable for TypeDoc.
  app.converter.on(Converter.EVENT_RESOLVE_BEGIN, ({ project }) => {
    for (const { type, comment } of project.getReflectionsByKind(ReflectionKind.Variable)) {
      if (type?.type !== 'reference' || !type.name.endsWith('Constructor')) continue
      comment?.blockTags.push(new CommentTag('@group', [{ kind: 'text', text: 'Classes' }]))
    }
  })

  const arrange = ({ project }) => {
    removeHeading(project.readme ?? [])
    const pages = app.options.getValue('projectDocuments').map((page) => path.normalize(page))
    const order = (reflection) => pages.findIndex((page) => pathOf(reflection).endsWith(page))
    const inOrder = (a, b) => (a.isDocument() && b.isDocument() ? order(a) - order(b) : 0)
    project.documents?.sort(inOrder)
    for (const group of project.groups ?? []) group.children.sort(inOrder)

    // requiredToBeDocumented would ask the same of every method.
    for (const { name, signatures } of project.getReflectionsByKind(ReflectionKind.Function)) {
      if (!signatures?.some((signature) => signature.hasComment())) app.logger.warn(`${name} is not documented`)
    }
  }
  app.converter.on(Converter.EVENT_RESOLVE_END, arrange, AFTER_GROUPING)
}

function pathOf(document) {
  return document.project.files.getReflectionPath(document) ?? ''
}

/** The first page of the site shows the name of the project by itself. */
function removeHeading([first]) {
  if (first !== undefined) first.text = first.text.replace(HEADING, '')
}
