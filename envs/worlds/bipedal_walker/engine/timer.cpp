// A b2Timer that does nothing: b2TimeOfImpact reads it at every call, for nobody, at a fiftieth of a step.
#include <Box2D/Common/b2Timer.h>

b2Timer::b2Timer() {}

void b2Timer::Reset() {}

float32 b2Timer::GetMilliseconds() const { return 0.0f; }
