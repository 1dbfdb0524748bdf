// SPDX-License-Identifier: Apache-2.0

public import StowageModel
internal import StowageRecords

extension Store {
  /// What it would mean to remove images and containers; changes nothing.
  ///
  /// Names must be exact, or whole identifiers. An image that keeps other names only loses those that are given. Layers that
  /// nothing else needs go with the last image that has them.
  ///
  /// - Parameter force: also containers and images that are mounted, and images named by an identifier that have several names;
  ///   never what other graph roots need.
  /// - Throws: `corrupt` while records are lost; `system`. What cannot be removed is told in the plan.
  public func planRemoval(of names: [String], force: Bool = false) throws(StorageError) -> RemovalPlan {
    try RemovalPlanning(store: self, force: force).plan(names: names)
  }

  /// Removes what was planned. Each object is looked at again under the locks: what is in use by now, or has names that the plan
  /// does not know, stays and is told.
  public func remove(_ plan: RemovalPlan) throws(StorageError) -> RemovalReport {
    var report = RemovalReport()
    for var step in plan.steps {
      do throws(StorageError) {
        try remove(&step, force: plan.isForced)
        report.done.append(step)
      } catch {
        if error.code == .cancelled { throw error }
        report.refusals.append(.init(argument: step.names.first ?? step.subject.id, error: error))
      }
    }
    return report
  }

  private func remove(_ step: inout RemovalPlan.Step, force: Bool) throws(StorageError) {
    switch step.subject {
    case .container(let container):
      try ContainerDeletion(store: self, container: container.id.rawValue, unmounts: force).run()
    case .image(let image) where step.isDeleted:
      let names = image.names
      let deletion = ImageDeletion(store: self, image: image.id.rawValue, commit: true, force: false)
      let deleted = try deletion.run { (subject, layers) throws(StorageError) in
        try subject.0.ownRecord(image.id)?.requireNoNames(but: names)
        if !force { try image.refuseMounted(subject.1, layers) }
      }
      step.layers = deleted
      step.bytes = deleted.reduce(step.dataBytes) { $0 + (step.layerBytes[$1] ?? 0) }
    case .image(let image): try removeNames(step.names, of: image.id, canBeLast: false)
    }
  }

  /// Takes names off an image. It must have all of them.
  func removeNames(_ names: [String], of id: ImageID, canBeLast: Bool) throws(StorageError) {
    try write([.images]) { (access) throws(StorageError) in
      guard let image = access.images.view.find(id.rawValue)?.record, image.id == id else {
        throw StorageError(.imageUnknown, "image \(id.rawValue.prefix(12)) is gone", subject: id.rawValue)
      }
      try image.requireNames(names)
      if !canBeLast, NameChange.remove(names).applied(to: image.names).isEmpty {
        throw StorageError(
          .busy, "image \(image.title) has lost its other names meanwhile: nothing was done, try again",
          subject: id.rawValue)
      }
      _ = try access.rename(id.rawValue, .remove(names))
    }
  }
}

extension ImageRecord {
  /// - Throws: `busy` if one of the image's layers that are to go is mounted, which shows its files to somebody.
  func refuseMounted(_ doomed: [LayerID], _ layers: borrowing LayersReading) throws(StorageError) {
    for layer in doomed {
      guard let mount = layers.mountInUse(of: layer) else { continue }
      throw StorageError(
        .busy, "image \(title) is mounted at \(mount.path): unmount it first, or use --force to delete it all the same",
        subject: id.rawValue, path: mount.path)
    }
  }

  /// - Throws: `busy` if the image has got other names than these.
  fileprivate func requireNoNames(but known: [String]) throws(StorageError) {
    let others = NameChange.remove(known).applied(to: names)
    if others.isEmpty { return }
    throw StorageError(
      .busy, "image \(id.rawValue.prefix(12)) has got another name meanwhile (\(others[0])): it was not deleted",
      subject: id.rawValue)
  }

  /// - Throws: `invalidNameOperation` if the image does not have all of these names.
  func requireNames(_ wanted: [String]) throws(StorageError) {
    let missing = NameChange.remove(names).applied(to: wanted)
    if missing.isEmpty { return }
    let its = names.isEmpty ? "it has none" : "its names are \(names.joined(separator: ", "))"
    throw StorageError(
      .invalidNameOperation,
      "image \(id.rawValue.prefix(12)) does not have the name \(missing.joined(separator: ", ")): \(its)",
      subject: id.rawValue)
  }
}
