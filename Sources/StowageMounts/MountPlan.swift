// SPDX-License-Identifier: Apache-2.0

package import SystemPackage

/// What has to be done to present a layer, or to end that, as a value that can be printed.
///
/// Made by a driver without changing anything; done by ``MountExecutor``.
package struct MountPlan: Sendable, CustomStringConvertible {
  /// The steps, in order.
  package let steps: [any MountStep]
  /// The absolute path at which the layer's tree is, after the steps.
  package let mountPoint: FilePath
  /// Whether the tree is shown by a mount; if not, it is the layer's directory. False for the end of a presentation.
  package var hasMount: Bool { steps.contains { $0 is any TreeMount } }

  /// Collects steps.
  package init(steps: [any MountStep], mountPoint: FilePath) {
    self.steps = steps
    self.mountPoint = mountPoint
  }

  /// The mount alone, at another place; nothing if there is none.
  package func mounting(at place: FilePath) -> MountPlan {
    let mounts = steps.compactMap { step -> (any TreeMount)? in
      var mount = step as? any TreeMount
      mount?.target = place
      return mount
    }
    return MountPlan(steps: mounts, mountPoint: place)
  }

  /// One step a line.
  package var description: String {
    steps.map(\.description).joined(separator: "\n")
  }
}
