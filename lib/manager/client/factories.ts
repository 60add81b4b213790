/** The methods of managers that make objects to synchronize with, beside the containers. */
import { type BlockingContainerFactories, ContainerFactories } from './container-factories.ts'

/** What makes objects in the blocking form. */
export interface BlockingFactories extends BlockingContainerFactories {}

export class Factories extends ContainerFactories {}
