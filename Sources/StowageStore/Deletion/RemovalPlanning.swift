// SPDX-License-Identifier: Apache-2.0

internal import StowageDriverAPI
internal import StowageFiles
internal import StowageModel
internal import StowageRecords
internal import SystemPackage

/// Finds out what the removal of images and containers means, as of one moment. Changes nothing.
struct RemovalPlanning {
  private let store: Store
  private let force: Bool

  init(store: Store, force: Bool) {
    self.store = store
    self.force = force
  }

  /// A step and the paths that it deletes.
  private struct Draft: Sendable {
    var step: RemovalPlan.Step
    var trees: [(layer: LayerID, paths: [FilePath])] = []
    var data: [FilePath] = []
  }

  /// What is taken into account while steps are added.
  private struct Context: ~Copyable {
    let view: ImagesView
    /// Those of the other mode, transient or not.
    let others: [ContainerRecord]
    let containers: [ContainerRecord]
    let needs: LayerNeeds
    var gone = GoneObjects()
  }

  /// Plans the removal of objects that are named exactly, or by their whole identifiers.
  func plan(names: [String]) throws(StorageError) -> RemovalPlan {
    try plan { (context, layers, plan) in
      var chosen = ExactNames(context.view, context.containers)
      for name in withoutRepeats(names) {
        do throws(StorageError) { try chosen.add(name, force: force) } catch {
          plan.refusals.append(.init(argument: name, error: error))
        }
      }
      var drafts: [Draft] = []
      for (argument, container) in chosen.containers {
        do throws(StorageError) { drafts.append(try draft(container, &context, layers)) } catch {
          plan.refusals.append(.init(argument: argument, error: error))
        }
      }
      for choice in chosen.images {
        do throws(StorageError) { drafts.append(try draft(choice.image, losing: choice.lost, &context, layers)) } catch
        {
          plan.refusals.append(.init(argument: choice.argument, error: error))
        }
      }
      return drafts
    }
  }

  /// Plans the deletion of images in this order. Those that are gone, or in use, are left out.
  func plan(images: [ImageID]) throws(StorageError) -> RemovalPlan {
    try plan { (context, layers, _) in
      images.compactMap { id in
        guard let image = context.view.ownRecord(id) else { return nil }
        // In use: it stays.
        return try? draft(image, losing: image.names, &context, layers)
      }
    }
  }

  private func plan(
    _ body: (inout Context, borrowing LayersReading, inout RemovalPlan) -> [Draft]
  ) throws(StorageError) -> RemovalPlan {
    var plan = RemovalPlan(isForced: force)
    let drafts = try store.read([.layers]) { (access) throws(StorageError) in
      let layers = access.layers
      let needs = try store.needs(layers)
      return try store.read([.images, .containers]) { (access) throws(StorageError) in
        var context = Context(
          view: access.images, others: try store.topology.containersOfOtherMode(),
          containers: access.containers.records,
          needs: needs)
        return body(&context, layers, &plan)
      }
    }
    plan.steps = try measured(drafts)
    return plan
  }

  // MARK: Single objects

  private func draft(
    _ container: ContainerRecord, _ context: inout Context, _ layers: borrowing LayersReading
  ) throws(StorageError) -> Draft {
    if !force, let mount = layers.mountInUse(of: container.layer) { throw container.refusal(whileMounted: mount) }
    if !force, let owner = store.containers.owner(of: container) { throw owner.refusal(of: container) }
    let layer = layers.primary(container.layer)
    if let layer, let need = layer.needBesideContainer(layers, context.view) {
      throw need.refusal(of: layer.id, named: true)
    }
    context.gone.add(container)
    let step = RemovalPlan.Step(
      subject: .container(container), names: container.names, isDeleted: true, layers: layer.map { [$0.id] } ?? [])
    return Draft(
      step: step, trees: layer.map { [tree($0, layers)] } ?? [], data: store.topology.paths(of: container.id))
  }

  private func draft(
    _ image: ImageRecord, losing names: [String], _ context: inout Context, _ layers: borrowing LayersReading
  ) throws(StorageError) -> Draft {
    if names.count < image.names.count {
      return Draft(step: .init(subject: .image(image), names: names, isDeleted: false, layers: []))
    }
    let gone = context.gone
    let users = context.containers.filter { !gone.containers.contains($0.id) } + context.others
    if let user = users.first(where: { $0.image == image.id }) {
      throw StorageError(
        .imageUsedByContainer,
        "image \(image.title) is used by container \(user.title) (\(user.id.rawValue.prefix(12))): remove that first, with "
          + "\"stowage rm \(user.names.first ?? user.id.rawValue)\" or the program that made it",
        subject: image.id.rawValue)
    }
    let own = context.view.own(image.id, store.topology, layers)
    let isShared = context.view.shared(store.topology)?[image.id] != nil
    if let use = context.needs.foreign.user(of: context.view.tables.compactMap { $0[image.id] }, isShared: isShared) {
      throw StorageError(
        .imageUsedByContainer, "image \(image.title) is used by \(use.user)", subject: image.id.rawValue)
    }
    var goneThen = context.gone
    let list = goneThen.add(image.id, tops: own.tops, context.needs, layers)
    if !force { try image.refuseMounted(list.map(\.id), layers) }
    context.gone = goneThen
    let step = RemovalPlan.Step(subject: .image(image), names: names, isDeleted: true, layers: list.map(\.id))
    return Draft(step: step, trees: list.map { tree($0, layers) }, data: store.topology.paths(of: image.id))
  }

  private func tree(_ layer: FoundLayer, _ layers: borrowing LayersReading) -> (layer: LayerID, paths: [FilePath]) {
    (layer.id, [layers.driver.directory(of: layer.location)] + store.topology.dataPaths(of: layer.id))
  }

  // MARK: Measuring, without locks

  private func measured(_ drafts: [Draft]) throws(StorageError) -> [RemovalPlan.Step] {
    var meter = SpaceMeter()
    var steps: [RemovalPlan.Step] = []
    for draft in drafts {
      var step = draft.step
      for (layer, paths) in draft.trees {
        for path in paths { step.layerBytes[layer, default: 0] += try meter.add(path) }
      }
      for path in draft.data { step.dataBytes += try meter.add(path) }
      step.bytes = step.dataBytes + step.layerBytes.values.reduce(0, +)
      steps.append(step)
    }
    return steps
  }
}

extension ImageRecord {
  /// What messages call it: its first name, else the beginning of its identifier.
  var title: String { names.first.map(goQuoted) ?? String(id.rawValue.prefix(12)) }
}

extension ImagesView {
  /// The record of an image in the stores that may be written.
  func ownRecord(_ id: ImageID) -> ImageRecord? {
    tables.indices.lazy.filter { isWritable[$0] }.compactMap { tables[$0][id] }.first
  }

  /// The image in the stores that may be written that has exactly this name.
  func ownOwner(ofName name: String) -> ImageRecord? {
    tables.indices.lazy.filter { isWritable[$0] }.compactMap { index in
      tables[index].owner(ofName: name).flatMap { tables[index][$0] }
    }.first
  }
}
