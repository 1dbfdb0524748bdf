// SPDX-License-Identifier: Apache-2.0
private import Glibc

// `fuzz --target=NAME [libFuzzer options] [directories or files]`
//
// The target is an option, which libFuzzer passes over, because libFuzzer starts the program again with the same
// arguments to work in several processes.

#if LIBFUZZER
  /// What the chosen target does with an input. Set before the first input and never again.
  nonisolated(unsafe) private var target: FuzzTarget = { _ in }

  /// Called by libFuzzer's `main` before anything else.
  @_cdecl("LLVMFuzzerInitialize")
  public func initialize(_ count: UnsafePointer<CInt>?, _ arguments: UnsafePointer<UnsafePointer<CChar>>?) -> CInt {
    let option = "--target="
    let name = CommandLine.arguments.first { $0.hasPrefix(option) }?.dropFirst(option.count) ?? ""
    guard let chosen = fuzzTargets[String(name)] else {
      print("fuzz: Fuzz/Targets.swift has no target '\(name)'")
      exit(64)
    }
    target = chosen
    return 0
  }

  /// Called by libFuzzer for each input.
  @_cdecl("LLVMFuzzerTestOneInput")
  public func run(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    target(Array(UnsafeBufferPointer(start: start, count: count)))
    return 0
  }
#else
  /// The plain build is there so that no change leaves the targets behind; it has nothing that makes inputs.
  @main
  enum Driver {
    static func main() {
      print("fuzz: built without libFuzzer, see Fuzz/README.md")
      exit(64)
    }
  }
#endif
