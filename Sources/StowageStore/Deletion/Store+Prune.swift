// SPDX-License-Identifier: Apache-2.0

public import StowageModel
internal import StowageRecords
internal import StowageSystem
internal import SystemPackage

/// Which images nobody needs; see ``Store/planPrune(_:)``.
public struct PruneRequest: Sendable {
  /// A label that an image must have, or must not.
  public struct Label: Hashable, Sendable {
    /// Its name.
    public let name: String
    /// Its value; nil for any.
    public let value: String?
    /// Whether images without it are meant.
    public let isExcluded: Bool

    /// States a condition.
    public init(_ name: String, value: String? = nil, isExcluded: Bool = false) {
      self.name = name
      self.value = value
      self.isExcluded = isExcluded
    }
  }

  /// All images without container, instead of those without name.
  public var all = false
  /// Only images made before this time.
  public var until: Timestamp?
  /// Conditions on labels; all must be met.
  public var labels: [Label] = []
  /// Only so many, the oldest first, that all images together take no more bytes on disk; nil for no limit.
  public var keptBytes: Int64?

  /// Images without name whose data were written less than so many seconds ago stay, since another program may be about to name
  /// them: Podman, Buildah and Skopeo record an image first. Does not matter if ``until`` is given.
  public var settledAfter: Int64 = 10

  /// Images without name, and without container.
  public init() {}
}

extension Store {
  /// Which images would be pruned, oldest first, and what that would free; changes nothing. ``remove(_:)`` does it.
  ///
  /// Images with containers, here or in other graph roots, are never among them.
  /// - Throws: `corrupt` while records are lost; `system`.
  public func planPrune(_ request: PruneRequest) throws(StorageError) -> RemovalPlan {
    let records = try read([.images]) { (access) throws(StorageError) in access.images.infos.map(\.record) }
    var chosen: [ImageRecord] = []
    for record in records where request.all || record.names.isEmpty {
      if let until = request.until {
        if record.created >= until { continue }
      } else if record.names.isEmpty, isBeingMade(record, within: request.settledAfter) {
        continue
      }
      if try meets(request.labels, record) { chosen.append(record) }
    }
    let order = chosen.sorted { ($0.created, $0.id) < ($1.created, $1.id) }.map(\.id)
    var plan = try RemovalPlanning(store: self, force: false).plan(images: order)
    // The records are older than the plan: names given since then count.
    if !request.all { plan.steps.removeAll { !$0.names.isEmpty } }
    if let limit = request.keptBytes {
      var bytes = try diskUsage().parts.first { $0.kind == .images }?.space.bytes ?? 0
      plan.steps = plan.steps.filter { step in
        if bytes <= limit { return false }
        bytes -= step.bytes
        return true
      }
    }
    return plan
  }

  /// Whether the data of an image were written so many seconds ago at most, by the clock of this machine: what is recorded as the
  /// time of its creation is often that of the build, somewhere else.
  private func isBeingMade(_ image: ImageRecord, within seconds: Int64) -> Bool {
    let earliest = Timestamp.now().seconds - seconds
    return topology.images.contains { place in
      do throws(Errno) {
        let status = try Syscall.stat(BigDataFiles.directory(of: image.id.rawValue, in: place.directory))
        return status.changeTime.seconds > earliest
      } catch {
        // Without data there is nothing to wait for; what cannot be looked at stays.
        return error != .noSuchFileOrDirectory
      }
    }
  }

  private func meets(_ labels: [PruneRequest.Label], _ image: ImageRecord) throws(StorageError) -> Bool {
    if labels.isEmpty { return true }
    let found: [String: String]
    do throws(StorageError) { found = try images.configuration(of: image.id.rawValue)?.labels ?? [:] } catch {
      // Gone by now.
      if error.code == .imageUnknown { return false }
      throw error
    }
    return labels.allSatisfy { label in
      let has = found[label.name].map { value in label.value.map { $0.hasSameBytes(as: value) } ?? true } ?? false
      return has != label.isExcluded
    }
  }
}
