// SPDX-License-Identifier: Apache-2.0

/// Uninitialised memory with an owner. Page aligned, as the kernel copies fastest into such.
package final class RawBuffer {
  /// The memory; valid as long as the object lives.
  package let bytes: UnsafeMutableRawBufferPointer

  /// Allocates `count` bytes.
  package init(count: Int) {
    bytes = UnsafeMutableRawBufferPointer.allocate(byteCount: count, alignment: 4096)
  }

  deinit { bytes.deallocate() }
}
