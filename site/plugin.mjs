// Gives the pages of docs/ their titles and puts them into groups, in the order in which typedoc.json lists them. Sorts the public names by
// topic, and checks that exported functions are documented.

import path from 'node:path'
import { CommentTag, Converter, ReflectionKind } from 'typedoc'

const GROUPS = { guide: 'Guide', platforms: 'Platforms', internals: 'Internals' }
const TOPICS = [
  ['views', 'Values and arrays'],
  ['scalars', 'Values and arrays'],
  ['sync', 'Locks and waiting'],
  ['queue', 'Queues and pipes'],
  ['state', 'Shared state'],
  ['process', 'Processes'],
  ['manager', 'Managers'],
  ['memory', 'Memory, names and handles'],
  ['errors', 'Errors'],
]

/** TypeDoc makes its groups with priority -100. */
const AFTER_GROUPING = -200
const HEADING = /^# (.*)\n/

export function load(app) {
  app.converter.on(Converter.EVENT_CREATE_DOCUMENT, (_context, document) => {
    document.frontmatter.group ??= GROUPS[path.basename(path.dirname(pathOf(document)))] ?? 'Project'
    document.name = HEADING.exec(document.content[0]?.text ?? '')?.[1] ?? document.name
  })

  app.converter.on(Converter.EVENT_RESOLVE_BEGIN, ({ project }) => {
    for (const module of project.getChildrenByKind(ReflectionKind.Module)) {
      for (const reflection of module.children ?? []) {
        if (reflection.name.endsWith('Object')) reflection.comment ??= commentOfClass(module, reflection)
      }
      for (const reflection of module.children ?? []) categorize(reflection, topicOf(project, reflection))
      for (const { comment } of Object.values(project.reflections))
        if (comment !== undefined) linkMembers(module, comment)
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

/** The topic of a public name: that of the folder that defines it. */
function topicOf(project, reflection) {
  const file = project.getSymbolIdFromReflection(reflection)?.packagePath ?? ''
  return TOPICS.find(([folder]) => file.startsWith(`lib/${folder}/`))?.[1] ?? 'Other'
}

/** What the constant `Queue` says is the documentation of the class QueueObject as well. */
function commentOfClass(module, { name }) {
  return module.children.find((other) => other.name === name.replace(/Object$/, '') && other.comment)?.comment?.clone()
}

/** `Queue.put` is a method of the class QueueObject, and `Queue.attach` one of the interface of Queue itself. */
function linkMembers(module, { summary, blockTags }) {
  for (const part of [summary, ...blockTags.map(({ content }) => content)].flat()) {
    const [, name, member] = (part.kind === 'inline-tag' && /^\s*(\w+)\.(\w+)\s*$/.exec(part.text)) || []
    const owners = [`${name}Object`, `${name}Constructor`, 'SharedClass'].map((owner) =>
      module.getChildByName([owner, member ?? '']),
    )
    const target = member === undefined ? undefined : owners.find((owner) => owner !== undefined)
    if (target !== undefined && module.getChildByName([name, member]) === undefined) part.target = target
  }
}

function categorize(reflection, topic) {
  const commented = [reflection, ...(reflection.signatures ?? [])].filter(({ comment }) => comment !== undefined)
  for (const { comment } of commented) {
    comment.blockTags.push(new CommentTag('@category', [{ kind: 'text', text: topic }]))
  }
}

function pathOf(document) {
  return document.project.files.getReflectionPath(document) ?? ''
}

/** The first page of the site shows the name of the project by itself. */
function removeHeading([first]) {
  if (first !== undefined) first.text = first.text.replace(HEADING, '')
}
