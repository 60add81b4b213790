/** The methods of managers that make containers: list, dict, set, Namespace, Value and Array. */
import { FactoryBase } from './factory-base.ts'

export abstract class ContainerFactories extends FactoryBase {}

/** What makes containers in the blocking form. */
export type BlockingContainerFactories = {}
