/** The methods of managers that make objects to synchronize with, beside the containers. */
import { ContainerFactories } from './container-factories.ts'

export class Factories extends ContainerFactories {}
